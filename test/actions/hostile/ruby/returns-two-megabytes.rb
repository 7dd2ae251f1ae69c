# Returns more than OpenWhisk takes.
def main(args)
  { text: 'z' * (2 << 20) }
end
