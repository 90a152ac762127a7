// --- SPEC.md §3: SHA-2 and the Merkle tree.
// The browser's own SHA-256 takes a whole file at once or nothing, and costs a call per line; so lines and large
// files are hashed here, piece by piece. `selfTest` holds both to one answer.

const subtle = globalThis.crypto?.subtle ?? null;

/** The first 64 bits of the fractions of the square or cube roots of the first primes: SHA-2's constants. */
function rootFractions(count, degree) {
  const primes = [];
  for (let n = 2n; primes.length < count; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  return primes.map((prime) => {
    const power = prime << (64n * degree);
    let [low, high] = [0n, 1n << 70n];
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** degree <= power) low = middle;
      else high = middle;
    }
    return BigInt.asUintN(64, low);
  });
}

const ROUNDS_512 = rootFractions(80, 3n);
const START_512 = rootFractions(8, 2n);
const ROUNDS_256 = Int32Array.from(ROUNDS_512.slice(0, 64), (word) => Number(BigInt.asIntN(32, word >> 32n)));
const START_256 = Int32Array.from(START_512, (word) => Number(BigInt.asIntN(32, word >> 32n)));
const schedule = new Int32Array(64);

/** One block of 64 bytes into a state of eight words. */
function compress256(state, bytes, at) {
  const w = schedule;
  for (let i = 0; i < 16; i++, at += 4) {
    w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + small0 + w[i - 7] + small1) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const large1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + large1 + ((e & f) ^ (~e & g)) + ROUNDS_256[i] + w[i]) | 0;
    const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0;
    d = c; c = b; b = a; a = (one + two) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** SHA-256 of bytes that come in pieces; one object may be used again and again. */
class Sha256 {
  constructor() {
    this.state = new Int32Array(8);
    this.block = new Uint8Array(64);
    this.restart();
  }

  restart() {
    this.state.set(START_256);
    this.filled = 0;
    this.length = 0;
    return this;
  }

  byte(value) {
    this.block[this.filled++] = value;
    this.length++;
    if (this.filled === 64) this.flush();
    return this;
  }

  flush() {
    compress256(this.state, this.block, 0);
    this.filled = 0;
  }

  update(bytes, from = 0, to = bytes.length) {
    this.length += to - from;
    while (from < to) {
      if (this.filled === 0 && to - from >= 64) {
        compress256(this.state, bytes, from);
        from += 64;
        continue;
      }
      const block = this.block;
      let place = this.filled;
      while (place < 64 && from < to) block[place++] = bytes[from++];
      this.filled = place;
      if (place === 64) this.flush();
    }
    return this;
  }

  digest() {
    const bits = this.length * 8;
    const { block } = this;
    block[this.filled++] = 0x80;
    if (this.filled > 56) {
      block.fill(0, this.filled);
      this.flush();
    }
    block.fill(0, this.filled);
    for (let i = 0, rest = bits; i < 8; i++, rest = Math.floor(rest / 256)) block[63 - i] = rest % 256;
    this.flush();
    const found = new Uint8Array(32);
    for (let i = 0; i < 32; i++) found[i] = this.state[i >> 2] >>> (24 - (i & 3) * 8);
    return found;
  }
}

/** SHA-512 of a few hundred bytes, where the browser has none. */
function sha512Here(bytes) {
  const padded = new Uint8Array((Math.floor((bytes.length + 16) / 128) + 1) * 128);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  const turned = (word, by) => BigInt.asUintN(64, (word >> by) | (word << (64n - by)));
  const state = [...START_512];
  for (let at = 0; at < padded.length; at += 128) {
    const w = Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + i * 8));
    for (let i = 16; i < 80; i++) {
      const x = w[i - 15], y = w[i - 2];
      const small0 = turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n);
      const small1 = turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n);
      w.push(BigInt.asUintN(64, w[i - 16] + small0 + w[i - 7] + small1));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i++) {
      const large1 = turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n);
      const one = h + large1 + ((e & f) ^ (BigInt.asUintN(64, ~e) & g)) + ROUNDS_512[i] + w[i];
      const two = (turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [BigInt.asUintN(64, one + two), a, b, c, BigInt.asUintN(64, d + one), e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = BigInt.asUintN(64, state[i] + word); });
  }
  const found = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => found.setBigUint64(i * 8, word));
  return new Uint8Array(found.buffer);
}

const sha256 = async (bytes) =>
  subtle ? new Uint8Array(await subtle.digest("SHA-256", bytes)) : new Sha256().update(bytes).digest();
const sha512 = async (bytes) => (subtle ? new Uint8Array(await subtle.digest("SHA-512", bytes)) : sha512Here(bytes));

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const toHex = (bytes) => Array.from(bytes, (byte) => DIGITS[byte]).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toUtf8 = (text) => new TextEncoder().encode(text);

/** The tree hash of RFC 6962 §2.1 over leaves that come one by one: whole subtrees wait for their twin. */
class MerkleTree {
  constructor() {
    this.waiting = []; // [height, hash], the highest first
    this.hash = new Sha256();
  }

  node(left, right) {
    return this.hash.restart().byte(1).update(left).update(right).digest();
  }

  addHash(hash) {
    let height = 0;
    while (this.waiting.length && this.waiting.at(-1)[0] === height) {
      hash = this.node(this.waiting.pop()[1], hash);
      height++;
    }
    this.waiting.push([height, hash]);
  }

  add(leaf) {
    this.addHash(this.hash.restart().byte(0).update(leaf).digest());
  }

  root() {
    if (!this.waiting.length) return toHex(new Sha256().digest());
    return toHex(this.waiting.map(([, hash]) => hash).reduceRight((right, left) => this.node(left, right)));
  }
}
