"""The machine's dice: to spread retries, not for secrets."""

import random


class SystemDice:
    """Implements `Dice`."""

    def chance(self) -> float:
        """Uniform in [0, 1)."""
        return random.random()
