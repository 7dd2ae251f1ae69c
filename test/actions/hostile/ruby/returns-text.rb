# Returns a string.
def main(args)
  'only a text'
end
