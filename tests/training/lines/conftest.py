"""Chains that are taken to their gate, as the tests of schedules take them."""

from tests.training.schedules import conftest as schedules_conftest
from tests.training.schedules import test_gates

begin = schedules_conftest.begin
demonstrated = schedules_conftest.demonstrated
at_gate = test_gates.at_gate
