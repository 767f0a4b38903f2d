"""Pictures of graphs. graphviz is imported only when one is made."""
from autograd_lite.drawing.animation import animate as animate
from autograd_lite.drawing.network import draw_network as draw_network
from autograd_lite.drawing.output import draw as draw, render as render

__all__ = ["animate", "draw", "draw_network", "render"]
