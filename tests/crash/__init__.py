"""The crash matrix: a real process is really killed at each boundary, comes back, and the books must balance.

points      the boundaries, and the fuse that kills the process at one of them
child       the process: the product, with its ports passing by the fuse
scenarios   which points are tried, alone and one upon the other
load        what the shop asks for meanwhile, and how each of it must end
rig         one scenario, from the first start to rest
verdict     what was lost, doubled, left unknown, late
report      the table of `make crash-matrix`
"""
