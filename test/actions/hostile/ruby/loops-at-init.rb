# Never finishes loading.
loop {}

def main(args)
  {}
end
