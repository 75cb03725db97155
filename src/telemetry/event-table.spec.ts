import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { expectGenerated, markdown } from '../../test/support/generated-docs.js';
import { resilienceEventKinds } from './event-kinds.js';

// docs/events.md shows the events and their fields. After a change: UPDATE_DOCS=1 npx jest src/telemetry/event-table

interface Field {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

interface EventType {
  readonly comment: string;
  readonly fields: readonly Field[];
}

/** The interfaces that have a `type`, by that type. */
function eventTypes(): Map<string, EventType> {
  const found = new Map<string, EventType>();
  for (const file of ['call-events.ts', 'events.ts']) {
    const text = readFileSync(join(__dirname, file), 'utf8');
    for (const node of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
      if (!ts.isInterfaceDeclaration(node)) continue;
      const members = node.members.filter(ts.isPropertySignature);
      const kind = members.find(({ name }) => name.getText() === 'type')?.type;
      if (kind === undefined || !ts.isLiteralTypeNode(kind)) continue;
      const fields = members
        .filter((member) => member.type !== kind)
        .map((member) => ({
          name: `${member.name.getText()}${member.questionToken ? '?' : ''}`,
          type: member.type!.getText(),
          comment: commentOf(member),
        }));
      found.set((kind.literal as ts.StringLiteral).text, { comment: commentOf(node), fields });
    }
  }
  return found;
}

function commentOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node);
  const text = doc && ts.isJSDoc(doc) ? ts.getTextOfJSDocComment(doc.comment) : undefined;
  return (text ?? '').replace(/\s+/g, ' ').trim();
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|').replace(/\s+/g, ' ')}\``;

/** As the middle of a table, where a full stop at the end is in the way. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\.$/, '');

function tables(): string {
  const types = eventTypes();
  const rows = resilienceEventKinds.map((kind) => {
    const { comment, fields } = types.get(kind)!;
    return [code(kind), fields.map(({ name }) => code(name)).join(', '), cell(comment)];
  });
  const fields = resilienceEventKinds.flatMap((kind) =>
    types
      .get(kind)!
      .fields.map(({ name, type, comment }) => [code(kind), code(name), code(type), cell(comment)]),
  );
  return [
    markdown([['`type`', 'fields', 'when'], ...rows]),
    'The fields:',
    markdown([['`type`', 'field', 'type of the field', 'meaning'], ...fields]),
  ].join('\n\n');
}

describe('the events', () => {
  it('are listed in docs/events.md with their fields, as in the code', () => {
    expectGenerated('events.md', 'src/telemetry/events.ts', tables());
  });

  it('have a comment each, and one for each of their fields', () => {
    const types = eventTypes();
    expect([...types.keys()].sort()).toEqual([...resilienceEventKinds].sort());
    for (const { comment, fields } of types.values()) {
      expect(comment).not.toBe('');
      for (const field of fields) expect(field).not.toMatchObject({ comment: '' });
    }
  });
});
