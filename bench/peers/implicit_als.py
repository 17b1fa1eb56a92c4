"""Trains implicit's ALS on a table written by als_bench and times it; als_bench judges the factors.

usage: implicit_als.py FOLDER DIM ALPHA L2_REG ITERATIONS THREADS
FOLDER has offsets.u64, columns.u32 and num_columns.txt; gets rows.f32, columns.f32.
Prints one line: wall seconds and CPU seconds of fit alone.
"""

import os
import sys
import time

folder, dim, alpha, l2_reg, iterations, threads = sys.argv[1:]
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy
import scipy.sparse
from implicit.als import AlternatingLeastSquares

offsets = numpy.fromfile(os.path.join(folder, "offsets.u64"), dtype=numpy.uint64).astype(numpy.int64)
columns = numpy.fromfile(os.path.join(folder, "columns.u32"), dtype=numpy.uint32).astype(numpy.int32)
with open(os.path.join(folder, "num_columns.txt"), encoding="ascii") as file:
    num_columns = int(file.read())
table = scipy.sparse.csr_matrix(
    (numpy.ones(len(columns), dtype=numpy.float32), columns, offsets),
    shape=(len(offsets) - 1, num_columns),
)
model = AlternatingLeastSquares(
    factors=int(dim),
    alpha=float(alpha),
    regularization=float(l2_reg),
    iterations=int(iterations),
    num_threads=int(threads),
    use_gpu=False,
    random_state=1,
)
wall = time.perf_counter()
cpu = time.process_time()
model.fit(table, show_progress=False)
wall = time.perf_counter() - wall
cpu = time.process_time() - cpu
numpy.ascontiguousarray(model.user_factors, dtype=numpy.float32).tofile(os.path.join(folder, "rows.f32"))
numpy.ascontiguousarray(model.item_factors, dtype=numpy.float32).tofile(os.path.join(folder, "columns.f32"))
print(wall, cpu)
