"""The demo portfolio: a folder in the portfolio format, with every awkward case in it, and the truth beside it.

A simulator of its own: it shares neither code nor shapes with the estimator that is measured against it.
"""

from local.demo.write import write_demo

__all__ = ["write_demo"]
