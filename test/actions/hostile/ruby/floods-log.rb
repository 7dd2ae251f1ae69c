# Prints three megabytes, most of them on one line.
def main(args)
  20_000.times { |i| puts "line #{i} #{'x' * 40}" }
  warn 'y' * (2 << 20)
  { answered: true }
end
