# More than the socket holds, so that it takes the host's reading to get rid of it.
def leave(mark)
  64.times { IO.for_fd(3, autoclose: false).syswrite([mark].pack('H*') * 4096) }
  'left'
end

def read
  'quiet'
end
