// What the server sends: JSON and int16 values in one message; tiles are kept here while they are near the page.
const NOTHING = -32768;
const MOST_KEPT = 96;

function unpack(data) {
  const bytes = data.slice(); // its own memory: the values must begin at an even place
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const values = new Int16Array(bytes.buffer, 4 + length, (bytes.length - 4 - length) >> 1);
  for (const tile of head.tiles)
    for (const part of tile.parts) part.values = values.subarray(part.at, part.at + part.n * part.rows.length);
  for (const array of Object.values(head.arrays)) {
    const [rows, width] = array.shape;
    array.rows = Array.from({ length: rows }, (_, row) =>
      Float32Array.from(values.subarray(array.at + row * width, array.at + (row + 1) * width), (v) =>
        v === NOTHING ? NaN : v * array.gain[row] + array.offset[row],
      ),
    );
  }
  head.bytes = bytes.length;
  return head;
}

// the stretch of one row in one tile
class Stretch {
  constructor(part, at) {
    this.start = part.start_s;
    this.rate = part.rate;
    this.step = part.step;
    this.pairs = part.step > 1;
    this.count = this.pairs ? part.n >> 1 : part.n;
    this.values = part.values.subarray(at * part.n, (at + 1) * part.n);
    this.gain = part.gain[at];
    this.offset = part.offset[at];
    this.dt = part.step / part.rate;
  }

  // the value at a place, or the smallest and largest where one place stands for several samples
  range(n) {
    const low = this.values[this.pairs ? 2 * n : n];
    const high = this.values[this.pairs ? 2 * n + 1 : n];
    return low === NOTHING ? null : [low * this.gain + this.offset, high * this.gain + this.offset];
  }

  // places from `from` to `to` seconds
  places(from, to) {
    const first = Math.max(0, Math.ceil((from - this.start) / this.dt - 1e-6));
    return [first, Math.min(this.count, Math.ceil((to - this.start) / this.dt - 1e-6))];
  }
}

class Tiles {
  constructor() {
    this.clear("");
  }

  clear(look) {
    this.look = look;
    this.held = new Map();
  }

  take(head) {
    if (head.look !== this.look) this.clear(head.look);
    for (const tile of head.tiles) {
      const rows = [];
      for (const part of tile.parts) part.rows.forEach((row, at) => (rows[row] = new Stretch(part, at)));
      this.held.delete(tile.number);
      this.held.set(tile.number, rows);
    }
  }

  // forget those farthest from the page
  trim(number) {
    if (this.held.size <= MOST_KEPT) return;
    const far = [...this.held.keys()].sort((a, b) => Math.abs(b - number) - Math.abs(a - number));
    for (const old of far.slice(0, this.held.size - MOST_KEPT)) this.held.delete(old);
  }

  has(number) {
    return this.held.has(number);
  }

  // the stretches of a row from `from` to `to` seconds, in order; a place between two tiles belongs to the one it begins in
  of(row, from, to, page) {
    const found = [];
    for (let n = Math.floor(from / page + 1e-9); n * page < to - 1e-9; n++) {
      const rows = this.held.get(n);
      if (rows?.[row]) found.push(rows[row]);
    }
    return found;
  }
}
