// Where an action is at home: the numbers that OpenWhisk's sharding balancer derives from names.

/** `String.hashCode` of Java: a signed number of 32 bits over the UTF-16 units of the text. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) {
    hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  }
  return hash;
}

/** The hash of an action (`namespace[/package]/name`) invoked from a namespace; not negative. */
export function homeHash(namespace: string, action: string): number {
  return Math.abs(javaHash(namespace) ^ javaHash(action));
}

/**
 * The steps that visit every one of `count` invokers, in ascending order: coprime to the count and to each other, so that
 * two actions with the same home seldom overflow to the same invokers.
 */
export function coprimeSteps(count: number): readonly number[] {
  const steps: number[] = [];
  for (let step = 1; step <= count; step++) {
    if ([count, ...steps].every((other) => greatestCommonDivisor(other, step) === 1)) {
      steps.push(step);
    }
  }
  return steps;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
