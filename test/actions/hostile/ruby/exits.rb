# Ends the process while it runs: politely, which ends no more than the activation, or at once.
def main(args)
  exit(args.fetch('code', 0)) if args['how'] == 'politely'
  exit!(args.fetch('code', 0))
end
