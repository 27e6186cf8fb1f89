/**
 * Ridge classification: targets +1 and -1 for each name, an intercept that is not shrunk.
 * The same numbers as scikit-learn's RidgeClassifier.
 */

/** How strongly weights are drawn to 0, for features of unit length (ours). */
export const ALPHA = 0.03;

/**
 * @param {Float64Array[]} rows  features of the named places
 * @param {number[]} names  index of each one's name, 0 ... count - 1
 * @param {number} count
 * @param {number} [alpha]
 * @returns {{weights: Float64Array[], intercepts: number[]}}  one for each name
 */
export function fitRidge(rows, names, count, alpha = ALPHA) {
  const p = rows[0].length;
  const mean = new Float64Array(p);
  for (const row of rows) for (let u = 0; u < p; u++) mean[u] += row[u] / rows.length;
  const matrix = Array.from({ length: p }, () => new Float64Array(p));
  for (const row of rows) {
    for (let u = 0; u < p; u++) {
      for (let v = 0; v <= u; v++) matrix[u][v] += (row[u] - mean[u]) * (row[v] - mean[v]);
    }
  }
  for (let u = 0; u < p; u++) matrix[u][u] += alpha;
  choleskyInPlace(matrix);
  const weights = [];
  const intercepts = [];
  for (let name = 0; name < count; name++) {
    const targets = names.map((own) => (own === name ? 1 : -1));
    const average = targets.reduce((sum, value) => sum + value, 0) / targets.length;
    const right = new Float64Array(p);
    rows.forEach((row, i) => {
      for (let u = 0; u < p; u++) right[u] += (row[u] - mean[u]) * (targets[i] - average);
    });
    const solved = solveWith(matrix, right);
    weights.push(solved);
    intercepts.push(average - solved.reduce((sum, value, u) => sum + value * mean[u], 0));
  }
  return { weights, intercepts };
}

/**
 * Replace the lower triangle of a positive definite matrix by its Cholesky factor.
 *
 * @param {Float64Array[]} matrix
 */
function choleskyInPlace(matrix) {
  for (let u = 0; u < matrix.length; u++) {
    for (let v = 0; v <= u; v++) {
      let sum = matrix[u][v];
      for (let k = 0; k < v; k++) sum -= matrix[u][k] * matrix[v][k];
      matrix[u][v] = u === v ? Math.sqrt(sum) : sum / matrix[v][v];
    }
  }
}

/**
 * @param {Float64Array[]} factor  lower triangle
 * @param {Float64Array} right
 */
function solveWith(factor, right) {
  const p = right.length;
  const solved = Float64Array.from(right);
  for (let u = 0; u < p; u++) {
    for (let k = 0; k < u; k++) solved[u] -= factor[u][k] * solved[k];
    solved[u] /= factor[u][u];
  }
  for (let u = p - 1; u >= 0; u--) {
    for (let k = u + 1; k < p; k++) solved[u] -= factor[k][u] * solved[k];
    solved[u] /= factor[u][u];
  }
  return solved;
}

/**
 * The name of every place, and how far ahead it is of the second best.
 *
 * @param {Float64Array[]} scores  of each name, at every place
 * @returns {{names: Uint8Array, margins: Float64Array}}  names are indices; margins are halved
 *   differences of scores, so that 1 is a place as certain as a clicked one can be
 */
export function decide(scores) {
  const n = scores[0].length;
  const names = new Uint8Array(n);
  const margins = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let best = 0;
    let second = -1;
    for (let name = 1; name < scores.length; name++) {
      if (scores[name][i] > scores[best][i]) {
        second = best;
        best = name;
      } else if (second < 0 || scores[name][i] > scores[second][i]) {
        second = name;
      }
    }
    names[i] = best;
    margins[i] = second < 0 ? 1 : (scores[best][i] - scores[second][i]) / 2;
  }
  return { names, margins };
}
