import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The packages that a module imports while it runs, and whether each import stands in a `try` block of its function. */
function dynamicImports(path: string): Record<string, boolean> {
  const found: Record<string, boolean> = {};
  const visit = (node: ts.Node, tried: boolean): void => {
    const [given] =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        ? node.arguments
        : [];
    if (given !== undefined && ts.isStringLiteral(given)) found[given.text] = tried;
    node.forEachChild((child) => {
      const inTry = ts.isTryStatement(node) ? child === node.tryBlock || tried : tried;
      visit(child, inTry && !ts.isFunctionLike(child));
    });
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext), false);
  return found;
}

describe('a store with a client of its own', () => {
  it('imports both packages so that a bundler accepts that one of them is missing', () => {
    expect(dynamicImports(join(__dirname, 'url-driver.ts'))).toEqual({
      redis: true,
      ioredis: true,
    });
  });
});
