"""What is computed over the rows of a window.

Functions that merge are computed from `parts` of the rows: small frames that are added up (`merge`) in any order and
number of steps, and turned to outputs at the end (`finish`). The others need the rows of a window together (`whole`),
and some of them what stands before and after in the series (`prepared`).
"""

from windrow.windows.aggregates.parts import decomposable, finish, merge, merge_into, parts
from windrow.windows.aggregates.whole import prepared, whole

__all__ = ["decomposable", "finish", "merge", "merge_into", "parts", "prepared", "whole"]
