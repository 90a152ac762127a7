// --- SPEC.md §9: Ed25519 (RFC 8032). Browsers differ in what they take (cofactor, spellings of a point), and some
// have none: the equation of §9.2 is computed here, so that every browser gives one answer.

const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const modulo = (n) => ((n % PRIME) + PRIME) % PRIME;

function power(base, exponent) {
  let found = 1n;
  for (base = modulo(base); exponent; exponent >>= 1n, base = (base * base) % PRIME) {
    if (exponent & 1n) found = (found * base) % PRIME;
  }
  return found;
}

const inverse = (n) => power(n, PRIME - 2n);
const CURVE_D = modulo(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (PRIME - 1n) / 4n);

const fromLittle = (bytes) => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
const toLittle = (number) => fromHex(number.toString(16).padStart(64, "0")).reverse();

// A point is [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (§5.1.4).
const NEUTRAL = [0n, 1n, 1n, 0n];

function sum([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = modulo((y1 - x1) * (y2 - x2)), b = modulo((y1 + x1) * (y2 + x2));
  const c = modulo(2n * t1 * t2 * CURVE_D), d = modulo(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function times(factor, point) {
  let found = NEUTRAL;
  for (; factor; factor >>= 1n, point = sum(point, point)) if (factor & 1n) found = sum(found, point);
  return found;
}

/** §5.1.2: y, and the lowest bit of x as its highest. */
function encoded([x, y, z]) {
  const one = inverse(z);
  return toLittle(modulo(y * one) | ((modulo(x * one) & 1n) << 255n));
}

/** §5.1.3, or null where the bytes are no point's one encoding. */
function decoded(bytes) {
  const number = fromLittle(bytes);
  const sign = number >> 255n, y = BigInt.asUintN(255, number);
  if (y >= PRIME) return null;
  const square = modulo((y * y - 1n) * inverse(CURVE_D * y * y + 1n));
  let x = power(square, (PRIME + 3n) / 8n);
  if (modulo(x * x - square)) x = modulo(x * ROOT_OF_MINUS_ONE);
  if (modulo(x * x - square) || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = PRIME - x;
  return [x, y, 1n, modulo(x * y)];
}

const isNeutral = ([x, y, z]) => x === 0n && y === z;

/** Whether 32 bytes are a sound point (§9.1). */
function isSoundPoint(bytes) {
  const point = decoded(bytes);
  return point !== null && !isNeutral(times(8n, point));
}

const BASE = decoded(fromHex(`58${"66".repeat(31)}`));

/** Whether 64 bytes are a sound key's signature of a message: the encoding of [S]B - [k]A is R. */
async function isSignature(key, message, signature) {
  const [r, s] = [signature.subarray(0, 32), fromLittle(signature.subarray(32))];
  if (s >= ORDER || !isSoundPoint(key)) return false;
  const whole = new Uint8Array(64 + message.length);
  whole.set(r);
  whole.set(key, 32);
  whole.set(message, 64);
  const k = fromLittle(await sha512(whole)) % ORDER;
  const [x, y, z, t] = decoded(key);
  const minus = [modulo(-x), y, z, modulo(-t)];
  return toHex(encoded(sum(times(s, BASE), times(k, minus)))) === toHex(r);
}
