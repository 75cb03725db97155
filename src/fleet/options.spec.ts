import { OptionsReader, Problems } from '../common/options-reader.js';
import { type FleetOptions, readFleetOptions } from './options.js';

describe('the options of a fleet', () => {
  it.each(['\ud800', 'a\udc00', '\udc00\ud800'])(
    'have no instanceId that UTF-8 cannot express: %j',
    (id) => {
      const problems = new Problems();
      readFleetOptions(new OptionsReader<FleetOptions>({ instanceId: id }, 'fleet', problems));
      expect(problems.all).toEqual([expect.stringContaining('without half a surrogate pair')]);
    },
  );

  it('have an instanceId of any other characters', () => {
    const problems = new Problems();
    const read = new OptionsReader<FleetOptions>(
      { instanceId: '\u{1f4da} 日本' },
      'fleet',
      problems,
    );
    expect(readFleetOptions(read).instanceId).toBe('\u{1f4da} 日本');
    expect(problems.all).toEqual([]);
  });
});
