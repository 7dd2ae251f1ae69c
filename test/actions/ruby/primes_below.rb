# Answers with a list.
def main(args)
  bound = args['bound']
  sieve = Array.new(bound, true).fill(false, 0, 2)
  (2..Integer.sqrt(bound)).each { |number| (number * number).step(bound - 1, number) { |multiple| sieve[multiple] = false } if sieve[number] }
  sieve.each_index.select { |number| sieve[number] }
end
