# Raises: what it raises is the action's own error, be it ever so odd.
class Odd < StandardError
  def message
    raise ArgumentError, 'do not look'
  end
end

def main(args)
  raise Interrupt if args['what'] == 'interrupt'
  raise Odd if args['what'] == 'odd'
  raise TypeError, 'boom'
end
