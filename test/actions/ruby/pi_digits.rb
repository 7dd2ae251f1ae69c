# Computes digits of pi with large numbers, rationals and decimals.
require 'bigdecimal'
require 'bigdecimal/math'

def digits_by_machin(count)
  unit = 10**(count + 10)
  arctan = lambda do |inverse|
    power = unit / inverse
    (0..).inject(0) { |sum, n| (power == 0) ? (break sum) : (sum + (n.even? ? 1 : -1) * power / (2 * n + 1)).tap { power /= inverse**2 } }
  end
  (4 * (4 * arctan.call(5) - arctan.call(239)) / 10**10).to_s.insert(1, '.')
end

def main(args)
  pi = digits_by_machin(args['digits'])
  { pi: pi, same: BigMath.PI(args['digits'] + 5).truncate(args['digits'] - 1).to_s('F') == pi[0..-2], egypt: Rational(256, 81).to_s }
end
