# Has no method of the name asked for.
def other(args)
  {}
end
