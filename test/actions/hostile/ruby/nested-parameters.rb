# Measures how deeply its parameters are nested, without recursing.
def main(args)
  depth, inner = 0, args['nested']
  depth, inner = depth + 1, inner['nested'] while inner
  { depth: depth }
end
