# Is followed by a very long comment.
def main(args)
  { ran: true }
end
