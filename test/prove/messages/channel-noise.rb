# More than the socket holds, so that it takes the host's reading to get rid of it; its beginning is no frame's head.
def leave(mark)
  noise = ("\xff".b * 21) + ([mark].pack('H*') * 4096)
  64.times { IO.for_fd(3, autoclose: false).syswrite(noise) }
  'left'
end

def read
  'quiet'
end
