"""The state of everything: is all well, the night's stages, what readers see, what is due."""

from chotso.status.look import Health, Status, look, status_of

__all__ = ["Health", "Status", "look", "status_of"]
