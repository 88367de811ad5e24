// Repeatable chance: the same words give the same numbers on every machine.

/** Four 32-bit states from a text; different texts give unrelated states. */
function statesOf(text: string): [number, number, number, number] {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ k, 597399067);
    b = c ^ Math.imul(b ^ k, 2869860233);
    c = d ^ Math.imul(c ^ k, 951274213);
    d = a ^ Math.imul(d ^ k, 2716044179);
  }
  return [a, b, c, d];
}

/** A small fast counter-based generator (Chris Doty-Humphrey's sfc32) with the few distributions that water use needs. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count: number;

  constructor(seed: string) {
    [this.#a, this.#b, this.#c, this.#count] = statesOf(seed);
    // The first rounds only spread the seed over all bits.
    for (let i = 0; i < 15; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Bell-shaped around `mean`, never outside [low, high]. The sum of four uniforms is close enough for habits. */
  around(mean: number, deviation: number, low: number, high: number): number {
    const bell = this.next() + this.next() + this.next() + this.next() - 2;
    return Math.min(high, Math.max(low, mean + bell * deviation * Math.sqrt(3)));
  }

  /** Exponential with the given mean. */
  waiting(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** How often something happens that happens `mean` times on average. */
  times(mean: number): number {
    const floor = Math.exp(-mean);
    let n = 0;
    for (let p = this.next(); p > floor; p *= this.next()) n++;
    return n;
  }

  /** A text of `length` decimal digits that does not begin with zero. */
  digits(length: number): string {
    let text = String(this.whole(1, 9));
    while (text.length < length) text += String(this.whole(0, 9));
    return text;
  }
}
