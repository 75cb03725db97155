import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { KeyGuard, NAME, READS, administered, key } from './support/admin.js';
import { closeAll } from './support/boot.js';

afterEach(closeAll);

describe('the OpenAPI document of an application with the management API', () => {
  it('describes its routes', async () => {
    const { app, post } = await administered('Express')({ guards: [KeyGuard] });
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const reads = READS.map((path) => `/resilience${path.replace(':name', '{name}')}`);
    expect(Object.keys(document.paths).sort()).toEqual(
      [...reads, '/resilience/breakers/{name}/{action}'].sort(),
    );
    const change: any = document.paths['/resilience/breakers/{name}/{action}']!.post;
    expect(change.summary).toBe('Changes a breaker');
    expect(change.tags).toEqual(['resilience']);
    expect(change.parameters.map(({ name, in: where }: any) => [name, where])).toEqual([
      ['name', 'path'],
      ['action', 'path'],
    ]);
    const { schema } = change.requestBody.content['application/json'];
    expect(schema.required).toEqual(['reason']);
    expect(Object.keys(change.responses)).toEqual(['200', '400', '403', '404', '413', '415']);
    const { body } = await post(`/breakers/${NAME}/disable`, { by: 'a', reason: 'b', x: 1 }, key);
    const fields = Object.keys(schema.properties).join(', ');
    expect(body.problems).toEqual([`the fields are ${fields}; use no others`]);
    const list: any = document.paths['/resilience/breakers']!.get;
    expect(list.parameters.map(({ name }: any) => name)).toContain('state');
    expect(Object.keys(list.responses)).toEqual(['200', '400', '403']);
  });
});
