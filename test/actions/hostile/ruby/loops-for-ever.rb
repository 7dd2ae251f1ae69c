# Never ends.
def main(args)
  loop {}
end
