export type Cells = readonly string[];

/** Lines of a table with aligned columns; columns at these indexes are aligned to the right. */
export function table(
  head: Cells,
  rows: readonly Cells[],
  right: readonly number[] = [],
): string[] {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: Cells): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width, column) =>
    '-'.repeat(column === head.length - 1 ? (head[column] ?? '').length : width),
  );
  return [line(head), line(rule), ...rows.map(line)];
}
