"""Pictures of graphs. graphviz is imported only when one is made."""
from autograd_lite.drawing.output import draw as draw, render as render

__all__ = ["draw", "render"]
