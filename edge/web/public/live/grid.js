/** Shape of a tile on a wall screen, width by height. */
const SHAPE = 16 / 9;

/**
 * As many columns as make the tiles of a screen the largest; of equal ones the most: names then stand beside pictures, not on them.
 * @param {number} tiles how many @param {number} width of the screen @param {number} height of the screen, px
 */
export function bestColumns(tiles, width, height) {
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= Math.max(1, tiles); columns++) {
    const rows = Math.ceil(tiles / columns);
    const size = Math.min(width / columns, (height / rows) * SHAPE);
    if (size >= best.size) best = { columns, size };
  }
  return best.columns;
}

/** How large the tiles of a page are, by how many there are: few are large. */
export function sizeFor(tiles) {
  if (tiles <= 1) return 'one';
  if (tiles <= 2) return 'pair';
  if (tiles <= 4) return 'few';
  if (tiles <= 9) return 'some';
  return tiles <= 16 ? 'many' : 'most';
}
