/*
 * Ten kernels of the sort that PolyBench/C collects, written anew: PolyBench itself is in no package registry. Each fills its
 * arrays, computes, and gives a checksum. The arrays are the process's own memory: what is written there is rewound.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { N = 160, LARGE = 700, STEPS = 12 };

static double a[N][N], b[N][N], c[N][N], d[N][N];
static double grid[LARGE][LARGE], next[LARGE][LARGE];
static int distance[N][N];
static double row[LARGE], solution[LARGE], reversed[LARGE];

static void fill(double matrix[N][N], int seed)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			matrix[i][j] = (double)((i * j + seed) % N) / N;
}

/* Symmetric and diagonally dominant: every factorization of it exists. */
static void fill_definite(double matrix[N][N])
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			matrix[i][j] = i == j ? N : 1.0 / (1 + i + j);
}

static void fill_grid(void)
{
	for (int i = 0; i < LARGE; i++)
		for (int j = 0; j < LARGE; j++)
			grid[i][j] = (double)(i * (j + 2) % LARGE) / LARGE;
}

static double sum(double matrix[N][N])
{
	double total = 0;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			total += matrix[i][j];
	return total;
}

static double sum_grid(void)
{
	double total = 0;
	for (int i = 0; i < LARGE; i++)
		for (int j = 0; j < LARGE; j++)
			total += grid[i][j];
	return total;
}

static void multiply(double out[N][N], double left[N][N], double right[N][N])
{
	memset(out, 0, sizeof(double[N][N]));
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				out[i][j] += left[i][k] * right[k][j];
}

double gemm(void)
{
	fill(a, 1);
	fill(b, 2);
	multiply(c, a, b);
	return sum(c);
}

double two_mm(void)
{
	fill(a, 1);
	fill(b, 2);
	multiply(c, a, b);
	multiply(d, c, a);
	return sum(d);
}

double three_mm(void)
{
	fill(a, 1);
	fill(b, 2);
	multiply(c, a, b);
	multiply(d, b, a);
	multiply(a, c, d);
	return sum(a);
}

double jacobi_2d(void)
{
	fill_grid();
	for (int step = 0; step < STEPS; step++) {
		for (int i = 1; i < LARGE - 1; i++)
			for (int j = 1; j < LARGE - 1; j++)
				next[i][j] = 0.2 * (grid[i][j] + grid[i][j - 1] + grid[i][j + 1] +
						    grid[i - 1][j] + grid[i + 1][j]);
		memcpy(grid, next, sizeof(grid));
	}
	return sum_grid();
}

double seidel_2d(void)
{
	fill_grid();
	for (int step = 0; step < STEPS / 4; step++)
		for (int i = 1; i < LARGE - 1; i++)
			for (int j = 1; j < LARGE - 1; j++)
				grid[i][j] = (grid[i - 1][j - 1] + grid[i - 1][j] + grid[i - 1][j + 1] +
					      grid[i][j - 1] + grid[i][j] + grid[i][j + 1] +
					      grid[i + 1][j - 1] + grid[i + 1][j] + grid[i + 1][j + 1]) / 9;
	return sum_grid();
}

double lu(void)
{
	fill_definite(a);
	for (int k = 0; k < N; k++)
		for (int i = k + 1; i < N; i++) {
			a[i][k] /= a[k][k];
			for (int j = k + 1; j < N; j++)
				a[i][j] -= a[i][k] * a[k][j];
		}
	return sum(a);
}

double cholesky(void)
{
	fill_definite(a);
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < i; j++) {
			for (int k = 0; k < j; k++)
				a[i][j] -= a[i][k] * a[j][k];
			a[i][j] /= a[j][j];
		}
		for (int k = 0; k < i; k++)
			a[i][i] -= a[i][k] * a[i][k];
		a[i][i] = sqrt(a[i][i]);
	}
	return sum(a);
}

double floyd_warshall(void)
{
	double total = 0;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			distance[i][j] = (i + j) % 13 == 0 || (i + j) % 7 == 0 ? 999 : i * j % 7 + 1;
	for (int k = 0; k < N; k++)
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++)
				if (distance[i][k] + distance[k][j] < distance[i][j])
					distance[i][j] = distance[i][k] + distance[k][j];
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			total += distance[i][j];
	return total;
}

double durbin(void)
{
	double alpha, beta = 1, total = 0;
	for (int i = 0; i < LARGE; i++)
		row[i] = 1.0 / (2 + i);
	solution[0] = -row[0];
	alpha = -row[0];
	for (int k = 1; k < LARGE; k++) {
		double inner = 0;
		beta *= 1 - alpha * alpha;
		for (int i = 0; i < k; i++)
			inner += row[k - i - 1] * solution[i];
		alpha = -(row[k] + inner) / beta;
		for (int i = 0; i < k; i++)
			reversed[i] = solution[i] + alpha * solution[k - i - 1];
		memcpy(solution, reversed, (size_t)k * sizeof(double));
		solution[k] = alpha;
	}
	for (int i = 0; i < LARGE; i++)
		total += solution[i];
	return total;
}

double atax(void)
{
	fill_grid();
	double total = 0;
	memset(solution, 0, sizeof(solution));
	for (int i = 0; i < LARGE; i++) {
		double inner = 0;
		for (int j = 0; j < LARGE; j++)
			inner += grid[i][j] * (1 + (double)j / LARGE);
		for (int j = 0; j < LARGE; j++)
			solution[j] += grid[i][j] * inner;
	}
	for (int j = 0; j < LARGE; j++)
		total += solution[j];
	return total;
}
