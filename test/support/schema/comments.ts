import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';

const SOURCES = join(__dirname, '../../../src');
const FOLDERS = ['common', 'execution', 'policies', 'fleet', 'telemetry/log'];

/** The comments of option types and their members in the sources. */
export class Comments {
  private readonly types = new Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>();

  constructor() {
    for (const folder of FOLDERS) {
      for (const name of readdirSync(join(SOURCES, folder), {
        recursive: true,
        encoding: 'utf8',
      })) {
        if (name.endsWith('.ts') && !name.endsWith('.spec.ts'))
          this.read(join(SOURCES, folder, name));
      }
    }
  }

  /** The comment of a type. */
  ofType(type: string): string {
    return commentOf(this.declaration(type), type);
  }

  /** The comment of a member, which may be inherited. */
  ofMember(type: string, member: string): string {
    const found = this.member(type, member);
    if (found === undefined) throw new Error(`${type} has no ${member}`);
    return commentOf(found, `${type}.${member}`);
  }

  private member(type: string, member: string): ts.PropertySignature | undefined {
    const declaration = this.declaration(type);
    const own = signaturesIn(declaration).find(({ name }) => name.getText() === member);
    if (own !== undefined || !ts.isInterfaceDeclaration(declaration)) return own;
    for (const clause of declaration.heritageClauses ?? []) {
      for (const { expression } of clause.types) {
        const inherited = this.member(expression.getText(), member);
        if (inherited !== undefined) return inherited;
      }
    }
    return undefined;
  }

  private declaration(type: string): ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
    const declaration = this.types.get(type);
    if (declaration === undefined) throw new Error(`no type ${type}`);
    return declaration;
  }

  private read(path: string): void {
    const text = readFileSync(path, 'utf8');
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    for (const statement of file.statements) {
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
        this.types.set(statement.name.text, statement);
      }
    }
  }
}

/** Also those of object types inside a union. */
function signaturesIn(node: ts.Node): ts.PropertySignature[] {
  const found: ts.PropertySignature[] = [];
  const visit = (each: ts.Node): void => {
    if (ts.isPropertySignature(each)) found.push(each);
    else ts.forEachChild(each, visit);
  };
  ts.forEachChild(node, visit);
  return found;
}

function commentOf(node: ts.Node, name: string): string {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = ts.getTextOfJSDocComment(comments.at(-1)?.comment);
  if (text === undefined) throw new Error(`${name} has no comment`);
  return text
    .replace(/\{@link\s+([^}]+)\}/g, '$1')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}
