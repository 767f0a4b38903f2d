"""Pictures of graphs, and derivations written out. graphviz is imported only when a picture is made."""
from autograd_lite.drawing.animation import animate as animate
from autograd_lite.drawing.derivation import derive as derive
from autograd_lite.drawing.network import draw_network as draw_network
from autograd_lite.drawing.output import draw as draw, render as render

__all__ = ["animate", "derive", "draw", "draw_network", "render"]
