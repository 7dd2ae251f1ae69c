"""One value of each of numpy's generators, and what pandas draws by them: imported by the action, after the rewind."""
import numpy
import numpy.random
import pandas


def draw():
    return {
        "legacy": numpy.random.random(),
        "legacy integers": numpy.random.randint(0, 1 << 62, dtype="int64").item(),
        "a new RandomState": numpy.random.RandomState().random(),
        "default_rng": numpy.random.default_rng().random(),
        "a sample of pandas": str(pandas.Series(range(1 << 20)).sample(4).tolist()),
        "a seed sequence": str(numpy.random.SeedSequence().entropy),
    }
