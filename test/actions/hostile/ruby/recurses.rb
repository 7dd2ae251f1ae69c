# Recurses without end.
def main(args)
  main(args.dup)
end
