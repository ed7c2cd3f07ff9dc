"""What others have published, each on a machine of its own: it stands beside ours for the order of magnitude."""

# The SOCK paper (Oakes et al., USENIX ATC'18).
SOCK_RATE = 900  # Containers a second without a network namespace for each,
SOCK_RATE_NET = 200  # with one,
SOCK_RATE_NET_TUNED = 400  # and with one on a kernel without IPv6, and without telling everybody of each.
SOCK_BIND = 2  # times as fast as AUFS
SOCK_CHROOT = 1  # us, less than
SOCK_CGROUP_REUSE = 2  # times as fast as a new cgroup, at least
SOCK_OVER_DOCKER = {1: 6, 10: 18}  # times as fast, by how many are started at once
SOCK_IMPORT = 100  # ms, of a popular package
SOCK_ZYGOTES = 3  # times as fast as the same containers without zygotes
SOCK_CACHES = 45  # times as fast as those: import, handler and install cache together
SOCK_RESIZE = 365  # ms of a cold call that resizes an image, without the handler's own time,
SOCK_RESIZE_OVER = {"AWS Lambda": 2.8, "OpenWhisk": 5.3}  # times as fast as these

# Of OpenLambda, by the nodes of Forklift's tree: calls a second and median ms, for the workload that bench/import_cache replays.
OPENLAMBDA = {1: (36, 72), 40: (107, 23), 120: (146, 17), 640: (159, 16)}
