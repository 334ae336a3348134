"""Looking inside a net: what it computes, sees and responds to.

Every look takes a model (an `nn.Module`, what `Net.build` gives, a run of `fit`), images where
it needs them, and returns its data with `.plot()` and `.save(path)`.
"""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.look.activation import *  # noqa: F403
    from netwright.look.attribution import *  # noqa: F403
    from netwright.look.borrowed import *  # noqa: F403
    from netwright.look.dreaming import *  # noqa: F403
    from netwright.look.fourier import *  # noqa: F403
    from netwright.look.gabor import *  # noqa: F403
    from netwright.look.geometry import *  # noqa: F403
    from netwright.look.images import *  # noqa: F403
    from netwright.look.kernels import *  # noqa: F403
    from netwright.look.matrix import *  # noqa: F403
    from netwright.look.maximisation import *  # noqa: F403
    from netwright.look.occluding import *  # noqa: F403
    from netwright.look.patches import *  # noqa: F403
    from netwright.look.picture import *  # noqa: F403
    from netwright.look.receptive import *  # noqa: F403
    from netwright.look.result import *  # noqa: F403
    from netwright.look.sensing import *  # noqa: F403
    from netwright.look.separating import *  # noqa: F403
    from netwright.look.shifting import *  # noqa: F403
    from netwright.look.sparseness import *  # noqa: F403
    from netwright.look.trusting import *  # noqa: F403
    from netwright.look.watch import *  # noqa: F403

lazy(
    __name__,
    {
        "activation": "Activations activations",
        "attribution": "METHODS Attribution attribute",
        "gabor": "Gabors gabors",
        "borrowed": "others",
        "geometry": "Box Layer layers",
        "images": "Batch Images batches images_of",
        "kernels": "Filters filters",
        "dreaming": "Dream dream",
        "fourier": "Shake",
        "maximisation": "Maximised maximise",
        "matrix": "circulant conv_matrix eigenvalues toeplitz",
        "occluding": "Occlusion occlusion",
        "patches": "TopPatches top_patches",
        "picture": "Picture Subject subject",
        "receptive": "FieldCourse ReceptiveField field fields",
        "result": "Look",
        "sparseness": "Sparsity sparsity",
        "sensing": "Sensitivity sensitivity",
        "separating": "Separability separability",
        "shifting": "Shift shift",
        "trusting": "Trust trust",
        "watch": "Watch watching",
    },
)
