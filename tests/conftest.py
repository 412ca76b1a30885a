"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# how quickly examples are made tells something about the machine's other work, and nothing about ours
settings.register_profile("busy machine", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")
