"""Settings of the workers that the tests start: those of the project, with the operation of these tests."""

from config.settings import *  # noqa: F403

OPERATIONS = ["tests.integration.territoires.etudes.operation.OPERATION"]
