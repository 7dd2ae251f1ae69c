def leave(mark)
  File.umask(0o70)
  'left'
end

def read
  File.readlines('/proc/self/status').grep(/^Umask/)
end
