"""What others have published, each on a machine of its own: it stands beside ours for the order of magnitude."""

# Containers a second of the SOCK paper (USENIX ATC'18).
SOCK_RATE = 900
# Of OpenLambda, by the nodes of Forklift's tree: calls a second and median ms, for the workload that bench/import_cache replays.
OPENLAMBDA = {1: (36, 72), 40: (107, 23), 120: (146, 17), 640: (159, 16)}
