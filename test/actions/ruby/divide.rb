# Divides, and answers with an error of its own where it cannot.
def main(args)
  { quotient: args['a'].fdiv(Integer(args['b'])).tap { |result| raise ZeroDivisionError, 'divided by 0' unless result.finite? } }
rescue ZeroDivisionError, TypeError => problem
  { error: problem.message }
end
