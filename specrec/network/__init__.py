"""Base of a method that is one trained network: everything but the network itself."""

from specrec.network.reconstructor import NetworkReconstructor

__all__ = ["NetworkReconstructor"]
