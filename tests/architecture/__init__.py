"""Tests of the tree itself: import contracts, sizes, habits."""
