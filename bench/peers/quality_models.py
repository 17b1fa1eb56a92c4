"""Simple public models in numpy and scipy, written from their papers: fit(table, **settings) gives an object whose
scores(own, rows) are dense, one row for each of `own`.

P3alpha: Cooper et al. 2014; RP3beta: Paudel et al. 2017; EDLAE: Steck 2020; RDLAE: Moon et al. 2023 (arXiv 2305.12922); DAN:
Park et al. 2025 (arXiv 2504.05805); Turbo-CF: Park et al. 2024 (arXiv 2404.14243).
"""


import numpy
import scipy.linalg
import scipy.sparse

from quality_tables import remembered

NEIGHBOURS = 200


class Weights:
    """Scores of items by items."""

    def __init__(self, weights):
        self.weights = weights

    def scores(self, own, rows):
        product = own @ self.weights
        return product.toarray() if scipy.sparse.issparse(product) else numpy.ascontiguousarray(product)


def counts(table, axis):
    return numpy.maximum(numpy.asarray(table.sum(axis=axis)).ravel(), 1).astype(numpy.float32)


def diagonal(values):
    return scipy.sparse.diags(values.astype(numpy.float32), format="csr")


def strongest(weights, length=NEIGHBOURS):
    """Of each row the largest, its diagonal left out."""
    weights = weights.tocsr()
    weights.setdiag(0)
    kept = [[], [], []]
    for row in range(weights.shape[0]):
        begin, end = weights.indptr[row], weights.indptr[row + 1]
        values, columns = weights.data[begin:end], weights.indices[begin:end]
        if len(values) > length:
            best = numpy.argpartition(-values, length)[:length]
            values, columns = values[best], columns[best]
        for target, part in zip(kept, (values, numpy.full(len(values), row), columns)):
            target.append(part)
    values, rows, columns = (numpy.concatenate(parts) for parts in kept)
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape=weights.shape)


def power_of_entries(matrix, power):
    result = matrix.copy()
    result.data = numpy.power(result.data, power)
    return result


def fit_random_walk(table, alpha, beta):
    """Three steps from a group's items over groups to items: transition probabilities to the power alpha, held against the
    popularity of where they end. beta 0 is P3alpha."""
    to_items = power_of_entries(diagonal(1 / counts(table, 1)) @ table, alpha)
    to_groups = power_of_entries(diagonal(1 / counts(table, 0)) @ table.T.tocsr(), alpha)
    return Weights(strongest(to_groups @ to_items @ diagonal(counts(table, 0) ** -beta)))


def fit_item_neighbours(table, weighting, shrink, length):
    """Cosine of columns; entries weighted by how rare groups are (tf-idf) or, of long ones less (bm25)."""
    sizes = counts(table, 1)
    if weighting == "tf-idf":
        weighted = diagonal(numpy.log(table.shape[1] / sizes)) @ table
    elif weighting == "bm25":
        inverse = numpy.log1p((table.shape[1] - sizes + 0.5) / (sizes + 0.5))
        weighted = diagonal(inverse * 2.2 / (1 + 1.2 * (0.25 + 0.75 * sizes / sizes.mean()))) @ table
    else:
        weighted = table
    products = (weighted.T @ weighted).tocoo()
    norms = numpy.sqrt(numpy.asarray(weighted.multiply(weighted).sum(axis=0)).ravel())
    products.data /= norms[products.row] * norms[products.col] + shrink
    return Weights(strongest(products, length))


class GroupNeighbours:
    """What the most alike groups have, by cosine of their histories."""

    def __init__(self, table, length):
        self.units, self.table, self.length = diagonal(counts(table, 1) ** -0.5) @ table, table, length

    def scores(self, own, rows):
        alike = (diagonal(counts(own, 1) ** -0.5) @ own @ self.units.T).tolil()
        alike[numpy.arange(len(rows)), rows] = 0
        return (strongest(alike.tocsr(), self.length) @ self.table).toarray()


class Polynomial:
    """Scores by a polynomial of the item graph: P, or 2 P - P^2."""

    def __init__(self, graph, order):
        self.graph, self.order = graph, order

    def scores(self, own, rows):
        first = numpy.ascontiguousarray(own @ self.graph)
        return first if self.order == 1 else 2 * first - first @ self.graph


@remembered(1)
def item_graph(table, alpha, power):
    """With the largest eigenvalue 1."""
    normalised = diagonal(counts(table, 1) ** -alpha) @ table @ diagonal(counts(table, 0) ** (alpha - 1))
    graph = numpy.power((normalised.T @ normalised).toarray(), power)
    vector = numpy.ones(len(graph), dtype=numpy.float32)
    for _ in range(20):
        vector = graph @ vector
        vector /= (size := numpy.linalg.norm(vector))
    return graph / size


def fit_polynomial(table, alpha, power, order):
    return Polynomial(item_graph(table, alpha, power), order)


@remembered(1)
def inverse_gram(table, ridge, dropout, group_exponent):
    """The inverse of X' D^-g X + diag(ridge + dropout f), that diagonal, and what an entry counts on average."""
    weights = counts(table, 1) ** -group_exponent
    gram = (table.T @ diagonal(weights) @ table).toarray().astype(numpy.float32)
    frequencies = numpy.diag(gram).copy()
    added = (ridge * frequencies.sum() / table.nnz + dropout * frequencies).astype(numpy.float32)
    gram[numpy.diag_indices(len(gram))] += added
    factor, problem = scipy.linalg.lapack.spotrf(gram, lower=0, overwrite_a=1)
    inverse, problem_of_inverse = scipy.linalg.lapack.spotri(factor, lower=0, overwrite_c=1)
    if problem or problem_of_inverse:
        raise ValueError("the matrix is not positive definite")
    upper = numpy.triu(inverse)
    return upper + numpy.triu(upper, 1).T, added


def fit_autoencoder(table, ridge, dropout, group_exponent=0.0, relaxed=0.0, popularity=0.0):
    """EDLAE; with `relaxed` the diagonal may be up to that much (RDLAE), with a group exponent and `popularity`, which
    multiplies weights by (f_i / f_j)^popularity, DAN."""
    inverse, added = inverse_gram(table, ridge, dropout, group_exponent)
    of_columns = numpy.maximum((1 - relaxed) / numpy.diag(inverse), added)
    weights = inverse * -of_columns
    if popularity != 0:
        powers = counts(table, 0) ** popularity
        weights *= powers[:, None] / powers[None, :]
    weights[numpy.diag_indices(len(weights))] = 0
    return Weights(weights)


def grid(**values):
    settings = [{}]
    for name, choices in values.items():
        settings = [{**setting, name: choice} for setting in settings for choice in choices]
    return settings


#: name: (fit, settings to choose from); what is dear to make comes first, so that it is made once.
MODELS = {
    "p3alpha": (fit_random_walk, grid(alpha=(0.6, 1.0, 1.3), beta=(0.0,))),
    "rp3beta": (fit_random_walk, grid(alpha=(0.6, 1.0, 1.3), beta=(0.2, 0.4, 0.6))),
    "item-knn-cosine": (fit_item_neighbours, grid(weighting=("none",), shrink=(0.0, 10.0), length=(50, 200))),
    "item-knn-tf-idf": (fit_item_neighbours, grid(weighting=("tf-idf",), shrink=(0.0, 10.0), length=(50, 200))),
    "item-knn-bm25": (fit_item_neighbours, grid(weighting=("bm25",), shrink=(0.0, 10.0), length=(50, 200))),
    "group-knn": (GroupNeighbours, grid(length=(50, 100, 200))),
    "turbo-cf": (fit_polynomial, grid(alpha=(0.3, 0.5, 0.7), power=(0.7, 1.0), order=(1, 2))),
    "edlae": (fit_autoencoder, grid(ridge=(20.0, 100.0, 300.0), dropout=(0.33, 1.0))),
    "rdlae": (fit_autoencoder, grid(ridge=(20.0, 100.0, 300.0), dropout=(0.33,), relaxed=(0.1, 0.5))),
    "ease-dan": (fit_autoencoder, grid(ridge=(20.0, 100.0, 300.0), dropout=(0.33,), group_exponent=(0.3,),
                                       popularity=(-0.2, 0.0, 0.2, 0.4))),
}
