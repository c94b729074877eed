"""What all tests share: how long hypothesis looks."""

from hypothesis import HealthCheck, settings

# A busy machine is no failure: pytest's own timeout is the only one.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=20_000)
settings.load_profile("default")
