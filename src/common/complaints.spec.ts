import { Complaints } from './complaints.js';

describe('Complaints', () => {
  it('are logged at once, then once per minute and culprit, with their number', () => {
    let time = 0;
    const lines: string[] = [];
    const complaints = new Complaints({ now: () => time }, (line) => void lines.push(line));
    const [one, other] = [{}, {}];
    for (let i = 0; i < 100; i++) {
      complaints.complain(one, () => `one ${i}`);
      if (i === 50) complaints.complain(other, () => 'other');
      time += 1_000;
    }
    expect(lines).toEqual(['one 0', 'other', 'one 60 (61 times so far)']);
  });

  it('have no effect when the logger or the message throws', () => {
    const complaints = new Complaints({ now: () => 0 }, () => {
      throw new Error('no log');
    });
    complaints.complain({}, () => 'x');
    complaints.complain({}, () => {
      throw new Error('no message');
    });
  });
});
