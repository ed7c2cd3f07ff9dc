"""What bench/peers and bench/compare.py share: samples, measuring programs, peers, reports."""
