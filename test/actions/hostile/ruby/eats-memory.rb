# Touches memory until there is no more.
def main(args)
  kept = []
  loop { kept << 'x' * (8 << 20) }
end
