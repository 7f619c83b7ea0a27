"""Probability distributions in the spelling of torch.distributions.

A distribution holds a batch of parameters; `sample` draws, `rsample` draws differentiably,
`log_prob` scores. Draws take ``generator=``, and sampling with one seed repeats.
"""

from . import (
    constraints,
    kl,
    kl_cross,  # noqa: F401 -- enters its rules
    kl_same,  # noqa: F401 -- enters its rules
    transforms,
)
from .beta import (
    Beta,
    ContinuousBernoulli,
    Dirichlet,
    Kumaraswamy,
)
from .categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from .constraint_registry import (
    biject_to,
    transform_to,
)
from .continuous import (
    Cauchy,
    HalfCauchy,
    Laplace,
    StudentT,
    Uniform,
)
from .discrete import (
    Bernoulli,
    Binomial,
    Geometric,
    NegativeBinomial,
    Poisson,
)
from .distribution import (
    Distribution,
    ExponentialFamily,
)
from .extreme_values import (
    GeneralizedPareto,
    Gumbel,
    Pareto,
    Weibull,
)
from .gamma import (
    Chi2,
    Exponential,
    FisherSnedecor,
    Gamma,
    InverseGamma,
)
from .independent import (
    Independent,
)
from .kl import (
    kl_divergence,
    register_kl,
)
from .matrices import (
    LKJCholesky,
    Wishart,
)
from .mixture import (
    MixtureSameFamily,
)
from .multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
)
from .normal import (
    HalfNormal,
    LogisticNormal,
    LogNormal,
    Normal,
)
from .relaxed import (
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from .transformed_distribution import (
    TransformedDistribution,
)
from .transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from .von_mises import (
    VonMises,
)

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "CatTransform",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "IndependentTransform",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "LowerCholeskyTransform",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "constraints",
    "identity_transform",
    "kl",
    "kl_divergence",
    "register_kl",
    "transform_to",
    "transforms",
]
